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


rule figure:
    """One figure from the rows it shows: of many instances a few, and all of them for the appendix."""
    input:
        planned(PLAN.rows_of, "figure"),
    output:
        report(
            f"{FIGURES}/{{figure}}.svg",
            caption="../captions/figure.rst",
            category=planned(PLAN.category, "figure"),
            labels=figure_labels,
        ),
        f"{FIGURES}/{{figure}}.png",
        whole=f"{FIGURES}/whole/{{figure}}.svg",
    log:
        "logs/figures/{figure}.log",
    benchmark:
        "logs/benchmarks/figures/{figure}.tsv"
    resources:
        mem_mb=1000,
    params:
        code=code("figure", claim="figure"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} figure {wildcards.figure:q} {input:q} --output {output[0]:q} {output[1]:q}"
        " --whole {output.whole:q} > {log:q} 2>&1"


rule figure_pdf:
    """The same figure for a paper, on demand."""
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
        code=code("figure", claim="figure"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} figure {wildcards.figure:q} {input:q} --output {output:q} > {log:q} 2>&1"
