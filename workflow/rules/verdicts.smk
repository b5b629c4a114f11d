rule verdicts:
    """The verdict on every claim: the one place where comparisons are judged."""
    input:
        claims=expand("results/claims/{claim}.csv", claim=PLAN.claims),
        counterexamples="results/counterexamples.csv",
        formal="results/formal.csv",
        page=paper("proofs.md"),
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
    resources:
        mem_mb=1000,
    params:
        options=options("verdicts"),
        code=code("verdicts"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} verdicts {input.claims:q} --counterexamples {input.counterexamples:q} --keep-going"
        " --formal {input.formal:q} {input.page:q} {params.options}"
        " --output {output.csv:q} --markdown {output.markdown:q} 2> {log:q}"


rule verify:
    """Fails if a claim is violated, a counterexample violates nothing or a plant is not caught, after all else is written."""
    input:
        claims="results/claims.csv",
        falsification="results/falsification.csv",
        adversary="results/adversary.csv",
        scale="results/scale.csv",
        report=REPORT,
    output:
        VERIFIED,
    log:
        "logs/verify.log",
    benchmark:
        "logs/benchmarks/verify.tsv"
    resources:
        mem_mb=1000,
    params:
        options=options("verify"),
        code=code("verify"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} verify {input.claims:q} --falsification {input.falsification:q}"
        " --adversary {input.adversary:q} --scale {input.scale:q} {params.options} --output {output:q} > {log:q} 2>&1"
