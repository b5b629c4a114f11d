for place, claims in PLAN.measured.items():

    rule:
        """Both sides of statements, measured on every instance and policy; nothing is judged here."""
        name:
            f"claims_of_{place}"
        input:
            warm=PLAN.compiled(claims[0]),
            exact=PLAN.checked(claims[0]),
            stationarity=PLAN.evaluated_runs(claims[0]),
            runs=PLAN.recorded_runs(claims[0]),
        output:
            expand("results/claims/{claim}.csv", claim=claims),
        log:
            f"logs/claims/{place}.log",
        benchmark:
            f"logs/benchmarks/claims/{place}.tsv"
        resources:
            mem_mb=1500,
        params:
            claim=claims[0],
            beside=claims[1:],
            code=code("claim", claims=claims),
        shell:
            "python -m sacrepro.study --mem-mb {resources.mem_mb} claim {params.claim:q} {input.exact:q} --beside {params.beside:q}"
            " --stationarity {input.stationarity:q} --runs {input.runs:q} --keep-going --output {output:q} > {log:q} 2>&1"
