rule claim:
    """Both sides of one statement, measured on every instance and policy; nothing is judged here."""
    input:
        warm=planned(PLAN.compiled, "claim"),
        exact=planned(PLAN.checked, "claim"),
        stationarity=planned(PLAN.evaluated_runs, "claim"),
        runs=planned(PLAN.recorded_runs, "claim"),
    output:
        "results/claims/{claim}.csv",
    log:
        "logs/claims/{claim}.log",
    benchmark:
        "logs/benchmarks/claims/{claim}.tsv"
    resources:
        mem_mb=1500,
    params:
        code=code("claim", claims=["{claim}"]),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} claim {wildcards.claim:q} {input.exact:q} --stationarity {input.stationarity:q}"
        " --runs {input.runs:q} --keep-going --output {output:q} > {log:q} 2>&1"
