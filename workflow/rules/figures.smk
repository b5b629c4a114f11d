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
        code=code_digest("sacrepro.plotting"),
    shell:
        "python -m sacrepro figure {wildcards.figure:q} {input:q} --output {output:q} > {log:q} 2>&1"
