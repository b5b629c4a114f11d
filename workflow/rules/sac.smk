rule sac:
    """Algorithm 1 on one instance with one κ, all seeds."""
    input:
        "logs/compiled/learn.txt",
        network_files,
    output:
        "results/sac/{instance}_kappa{kappa}.npz",
    log:
        "logs/sac/{instance}_kappa{kappa}.log",
    benchmark:
        "logs/benchmarks/sac/{instance}_kappa{kappa}.tsv"
    params:
        spec=spec,
        options=sac_options,
        code=job_digest("sac"),
    shell:
        "python -m sacrepro sac --instance {wildcards.instance:q} --spec {params.spec:q} --kappa {wildcards.kappa}"
        " {params.options} --output {output:q} > {log:q} 2>&1"


rule learning:
    """The sampled returns of every run."""
    input:
        runs(RUNS),
    output:
        "results/traces/learning.csv",
    log:
        "logs/traces/learning.log",
    benchmark:
        "logs/benchmarks/traces/learning.tsv"
    params:
        code=job_digest("trace"),
    shell:
        "python -m sacrepro trace {input:q} --output {output:q} > {log:q} 2>&1"


rule stationarity:
    """J and ‖∇J‖² of Theorem 5's left side, exactly, along the runs on instances that are small enough."""
    input:
        runs(EXACT_RUNS),
    output:
        "results/traces/stationarity.csv",
    log:
        "logs/traces/stationarity.log",
    benchmark:
        "logs/benchmarks/traces/stationarity.tsv"
    params:
        code=job_digest("trace"),
    shell:
        "python -m sacrepro trace --exact {input:q} --output {output:q} > {log:q} 2>&1"
