rule warm:
    """Compile the kernels of one kind of job once, so that parallel jobs do not compile them at the same time."""
    output:
        "logs/compiled/{kernels}.txt",
    log:
        "logs/warm/{kernels}.log",
    benchmark:
        "logs/benchmarks/warm/{kernels}.tsv"
    resources:
        mem_mb=1500,
    params:
        code=code("warm {kernels}"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} warm {wildcards.kernels} --output {output:q} > {log:q} 2>&1"


for lot, instances in PLAN.solved.items():

    rule:
        """Section 2: V_i, π^θ, D_i(κ), ∇J and J of instances by exact dynamic programming; large ones alone."""
        name:
            f"exact_of_{lot}"
        input:
            "logs/compiled/exact.txt",
            [PLAN.network_files[instance] for instance in instances],
        output:
            plan.exact(instances),
        log:
            f"logs/exact/{lot}.log",
        benchmark:
            f"logs/benchmarks/exact/{lot}.tsv"
        resources:
            mem_mb=2000,
        params:
            jobs=process(
                "exact",
                "--instance {instance} --output results/exact/{instance}.npz",
                instance=instances,
            ),
            code=code("exact"),
        shell:
            "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} > {log:q} 2>&1"
