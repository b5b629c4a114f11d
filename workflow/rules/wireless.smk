rule wireless_references:
    """The published wireless benchmark, 24 users, at θ = 0 and under ALOHA, with its own queue and with a stale one."""
    output:
        "results/wireless/references.csv",
    log:
        "logs/wireless/references.log",
    benchmark:
        "logs/benchmarks/wireless/references.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("wireless references"),
        code=code("wireless references"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} wireless references {params.options} --output {output:q} > {log:q} 2>&1"


rule wireless_run:
    """One learner with one κ on the published wireless benchmark, all seeds."""
    input:
        "results/wireless/references.csv",  # whose job compiles the simulator and the learners
    output:
        "results/wireless/{run}.csv",
    log:
        "logs/wireless/{run}.log",
    benchmark:
        "logs/benchmarks/wireless/{run}.tsv"
    resources:
        mem_mb=2500,
    params:
        options=options("wireless run"),
        code=code("wireless run"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} wireless run {params.options} --output {output:q} > {log:q} 2>&1"
