rule sac:
    """Algorithm 1 on one instance with one κ, all seeds."""
    input:
        "logs/compiled/learn.txt",
        planned(PLAN.network_files, "instance"),
    output:
        "results/sac/{instance}_kappa{kappa}.npz",
    log:
        "logs/sac/{instance}_kappa{kappa}.log",
    benchmark:
        "logs/benchmarks/sac/{instance}_kappa{kappa}.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("sac"),
        code=code("sac"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} sac --instance {wildcards.instance:q} --kappa {wildcards.kappa}"
        " {params.options} --output {output:q} > {log:q} 2>&1"


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
