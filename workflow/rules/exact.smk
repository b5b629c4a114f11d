rule warm:
    """Compile the kernels of one room once, so that parallel jobs do not compile them at the same time."""
    output:
        "logs/compiled/{room}.txt",
    log:
        "logs/warm/{room}.log",
    benchmark:
        "logs/benchmarks/warm/{room}.tsv"
    params:
        code=room_code,
    shell:
        "python -m sacrepro warm {wildcards.room:q} --output {output:q} > {log:q} 2>&1"


rule exact:
    """Section 2: V_i, π^θ, D_i(κ), ∇J and J of one instance by exact dynamic programming."""
    input:
        "logs/compiled/exact.txt",
        network_files,
    output:
        "results/exact/{instance}.npz",
    log:
        "logs/exact/{instance}.log",
    benchmark:
        "logs/benchmarks/exact/{instance}.tsv"
    params:
        spec=spec,
        policies=config["policies"]["count"],
        seed=config["policies"]["seed"],
        scale=config["policies"]["scale"],
        code=job_digest("exact"),
    shell:
        "python -m sacrepro exact --instance {wildcards.instance:q} --spec {params.spec:q}"
        " --policies {params.policies} --seed {params.seed} --scale {params.scale}"
        " --output {output:q} > {log:q} 2>&1"
