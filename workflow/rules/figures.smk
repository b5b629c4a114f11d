rule figure:
    """One figure from the rows it shows."""
    input:
        figure_rows,
    output:
        f"{FIGURES}/{{figure}}.svg",
        f"{FIGURES}/{{figure}}.png",
    log:
        "logs/figures/{figure}.log",
    benchmark:
        "logs/benchmarks/figures/{figure}.tsv"
    params:
        code=code_digest("sacrepro.plotting"),
    shell:
        "python -m sacrepro figure {wildcards.figure:q} {input:q} --output {output:q} > {log:q} 2>&1"
