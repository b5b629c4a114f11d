rule claim:
    """Both sides of one statement, measured on every instance and policy; nothing is judged here."""
    input:
        warm=learner_kernels,
        exact=checked,
        stationarity=evaluated_runs,
        runs=recorded_runs,
    output:
        "results/claims/{claim}.csv",
    log:
        "logs/claims/{claim}.log",
    benchmark:
        "logs/benchmarks/claims/{claim}.tsv"
    params:
        code=claim_code,
    shell:
        "python -m sacrepro claim {wildcards.claim:q} {input.exact:q} --stationarity {input.stationarity:q}"
        " --runs {input.runs:q} --keep-going --output {output:q} > {log:q} 2>&1"
