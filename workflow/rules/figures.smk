rule decay_map:
    """What the state of each agent is worth to one of them, on every instance."""
    input:
        plan.exact(PLAN.evaluated),
    output:
        "results/decay_map.csv",
    log:
        "logs/decay_map.log",
    benchmark:
        "logs/benchmarks/decay_map.tsv"
    resources:
        mem_mb=1500,
    params:
        code=code("decay-map"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} decay-map {input:q} --output {output:q} > {log:q} 2>&1"


for kind, figures in PLAN.pictured.items():

    rule:
        """Figures of one kind, each from the rows it shows: of many instances a few, and all of them for the appendix."""
        name:
            f"figures_of_{kind}"
        input:
            [PLAN.rows_of(figure) for figure in figures],
        output:
            [
                report(
                    f"{FIGURES}/{figure}.svg",
                    caption="../captions/figure.rst",
                    category="Claims" if kind == "claims" else "Experiments",
                    labels=figure_labels(figure),
                )
                for figure in figures
            ],
            expand(f"{FIGURES}/{{figure}}.png", figure=figures),
            expand(f"{FIGURES}/whole/{{figure}}.svg", figure=figures),
        log:
            f"logs/figures/{kind}.log",
        benchmark:
            f"logs/benchmarks/figures/{kind}.tsv"
        resources:
            mem_mb=1000,
        params:
            jobs=process(
                "figure",
                f"{{figure}} {{rows}} --output {FIGURES}/{{figure}}.svg {FIGURES}/{{figure}}.png"
                f" --whole {FIGURES}/whole/{{figure}}.svg",
                figure=figures,
                rows=[" ".join(PLAN.rows_of(figure)) for figure in figures],
            ),
            code=code("figure", claims=figures),
        shell:
            "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} > {log:q} 2>&1"


rule figure_pdf:
    """One figure for a paper, on demand."""
    input:
        planned(PLAN.rows_of, "figure"),
    output:
        f"{FIGURES}/{{figure}}.pdf",
    log:
        "logs/figures/{figure}_pdf.log",
    benchmark:
        "logs/benchmarks/figures/{figure}_pdf.tsv"
    resources:
        mem_mb=1000,
    params:
        code=code("figure", claims=["{figure}"]),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} figure {wildcards.figure:q} {input:q} --output {output:q} > {log:q} 2>&1"
