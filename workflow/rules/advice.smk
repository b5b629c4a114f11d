rule advise:
    """Which κ is enough for a network of your own: certificates, measured decay, and a recommendation in the record."""
    input:
        warm="logs/compiled/exact.txt",
        files=planned(PLAN.network_files, "network"),
    output:
        csv="results/advice/{network}.csv",
        json="results/advice/{network}.json",
        svg=f"{FIGURES}/advice_{{network}}.svg",
        png=f"{FIGURES}/advice_{{network}}.png",
    log:
        "logs/advice/{network}.log",
    benchmark:
        "logs/benchmarks/advice/{network}.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("advise"),
        code=code("advise"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} advise {input.files[0]:q} {params.options} --seconds 0"
        " --output {output.csv:q} {output.json:q} --figure {output.svg:q} {output.png:q} > {log:q} 2>&1"
