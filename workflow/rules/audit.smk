rule witnesses:
    """Sentences that are false as written, or with one hypothesis less: both sides where they fail."""
    input:
        "results/warm/exact.txt",
    output:
        "results/witnesses.csv",
    log:
        "logs/witnesses.log",
    benchmark:
        "logs/benchmarks/witnesses.tsv"
    params:
        code=code_digest("sacrepro.claims.witnesses"),
    shell:
        "python -m sacrepro witnesses --output {output:q} > {log:q} 2>&1"


rule falsify:
    """Wrong bounds, planted on purpose: which comparisons catch them."""
    input:
        "results/warm/exact.txt",
    output:
        "results/falsification.csv",
    log:
        "logs/falsification.log",
    benchmark:
        "logs/benchmarks/falsification.tsv"
    params:
        code=code_digest("sacrepro.claims.falsification"),
    shell:
        "python -m sacrepro falsify --output {output:q} > {log:q} 2>&1"
