rule advise:
    """Which κ is enough for a network of your own: certificates, measured decay, and a recommendation in the record."""
    input:
        warm="logs/compiled/exact.txt",
        files=advised_files,
    output:
        csv="results/advice/{network}.csv",
        json="results/advice/{network}.json",
        svg=f"{FIGURES}/advice_{{network}}.svg",
        png=f"{FIGURES}/advice_{{network}}.png",
    log:
        "logs/advice/{network}.log",
    benchmark:
        "logs/benchmarks/advice/{network}.tsv"
    params:
        question=advice_question,
        code=job_digest("advise"),
    shell:
        "python -m sacrepro advise {input.files[0]:q} {params.question} --seconds 0"
        " --output {output.csv:q} {output.json:q} --figure {output.svg:q} {output.png:q} > {log:q} 2>&1"
