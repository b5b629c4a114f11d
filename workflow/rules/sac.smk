for instance, runs in PLAN.runs_of.items():

    rule:
        """Algorithm 1 on one instance with every κ, all seeds."""
        name:
            f"sac_on_{instance}"
        input:
            "logs/compiled/learn.txt",
            PLAN.network_files[instance],
        output:
            plan.sac(runs),
        log:
            f"logs/sac/{instance}.log",
        benchmark:
            f"logs/benchmarks/sac/{instance}.tsv"
        resources:
            mem_mb=1500,
        params:
            jobs=process(
                "sac",
                "--instance {instance} --kappa {kappa} --output results/sac/{instance}_kappa{kappa}.npz",
                instance=[instance for _ in runs],
                kappa=[kappa for _, kappa in runs],
            ),
            code=code("sac"),
        shell:
            "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} > {log:q} 2>&1"


rule learning:
    """The sampled returns of every run."""
    input:
        plan.sac(PLAN.runs),
    output:
        "results/traces/learning.csv",
    log:
        "logs/traces/learning.log",
    benchmark:
        "logs/benchmarks/traces/learning.tsv"
    resources:
        mem_mb=1500,
    params:
        code=code("trace"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} trace {input:q} --output {output:q} > {log:q} 2>&1"


rule stationarity:
    """J and ‖∇J‖² of Theorem 5's left side, exactly, along the runs on instances that are small enough."""
    input:
        plan.sac(PLAN.exact_runs),
    output:
        "results/traces/stationarity.csv",
    log:
        "logs/traces/stationarity.log",
    benchmark:
        "logs/benchmarks/traces/stationarity.tsv"
    resources:
        mem_mb=1500,
    params:
        code=code("trace"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} trace --exact {input:q} --output {output:q} > {log:q} 2>&1"
