rule wireless_references:
    """The wireless benchmark at θ = 0 and under ALOHA, with its own queue and with a stale one."""
    output:
        "results/wireless/references.csv",
    log:
        "logs/wireless/references.log",
    benchmark:
        "logs/benchmarks/wireless/references.tsv"
    params:
        episodes=WIRELESS.get("reference_episodes"),
        code=job_digest("wireless_references"),
    shell:
        "python -m sacrepro wireless references --episodes {params.episodes} --output {output:q} > {log:q} 2>&1"


rule wireless_run:
    """One learner with one κ on the wireless benchmark, all seeds."""
    input:
        "results/wireless/references.csv",  # whose job compiles the simulator
    output:
        "results/wireless/{run}.csv",
    log:
        "logs/wireless/{run}.log",
    benchmark:
        "logs/benchmarks/wireless/{run}.tsv"
    params:
        options=wireless_options,
        episodes=WIRELESS.get("episodes"),
        records=WIRELESS.get("records"),
        code=job_digest("wireless_run"),
    shell:
        "python -m sacrepro wireless run --episodes {params.episodes} --records {params.records}"
        " {params.options} --output {output:q} > {log:q} 2>&1"
