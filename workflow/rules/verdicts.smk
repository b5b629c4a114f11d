rule verdicts:
    """The verdict on every claim: the one place where comparisons are judged."""
    input:
        expand("results/claims/{claim}.csv", claim=CLAIMS),
    output:
        csv=report(
            "results/claims.csv",
            caption="../captions/verdicts.rst",
            category="Verdicts",
            labels={"table": "claims"},
        ),
        markdown="results/claims.md",
    log:
        "logs/verdicts.log",
    benchmark:
        "logs/benchmarks/verdicts.tsv"
    params:
        code=code_digest("sacrepro.claims.comparison", "sacrepro.claims.table"),
    shell:
        "python -m sacrepro verdicts {input:q} --output {output.csv:q} --markdown {output.markdown:q} 2> {log:q}"


rule verify:
    """Fails if a claim is violated, after every table and figure is written."""
    input:
        claims="results/claims.csv",
        report=REPORT,
    output:
        VERIFIED,
    log:
        "logs/verify.log",
    benchmark:
        "logs/benchmarks/verify.tsv"
    params:
        code=code_digest("sacrepro.claims.comparison"),
    shell:
        "python -m sacrepro verify {input.claims:q} --output {output:q} > {log:q} 2>&1"
