rule decay_map:
    """What the state of each agent is worth to one of them, on every instance."""
    input:
        expand("results/exact/{instance}.npz", instance=EVALUATED),
    output:
        "results/decay_map.csv",
    log:
        "logs/decay_map.log",
    benchmark:
        "logs/benchmarks/decay_map.tsv"
    params:
        code=job_digest("decay_map"),
    shell:
        "python -m sacrepro decay-map {input:q} --output {output:q} > {log:q} 2>&1"


rule figure:
    """One figure from the rows it shows."""
    input:
        figure_rows,
    output:
        report(
            f"{FIGURES}/{{figure}}.svg",
            caption="../captions/figure.rst",
            category=figure_category,
            labels=figure_labels,
        ),
        f"{FIGURES}/{{figure}}.png",
    log:
        "logs/figures/{figure}.log",
    benchmark:
        "logs/benchmarks/figures/{figure}.tsv"
    params:
        code=figure_code,
    shell:
        "python -m sacrepro figure {wildcards.figure:q} {input:q} --output {output:q} > {log:q} 2>&1"


rule figure_pdf:
    """The same figure for a paper, on demand."""
    input:
        figure_rows,
    output:
        f"{FIGURES}/{{figure}}.pdf",
    log:
        "logs/figures/{figure}_pdf.log",
    benchmark:
        "logs/benchmarks/figures/{figure}_pdf.tsv"
    params:
        code=figure_code,
    shell:
        "python -m sacrepro figure {wildcards.figure:q} {input:q} --output {output:q} > {log:q} 2>&1"
