rule patient:
    """Ascent along eq. (7) with TD's fixed points: what κ does without sampling."""
    input:
        planned(PLAN.network_files, "instance"),
    output:
        "results/patient/{instance}.csv",
    log:
        "logs/patient/{instance}.log",
    benchmark:
        "logs/benchmarks/patient/{instance}.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("patient"),
        code=code("patient"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} patient --instance {wildcards.instance:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"


rule critic_error:
    """The critic's error on one instance for every κ, T and seed, against TD's fixed point and against Q_i."""
    input:
        "logs/compiled/learn.txt",
        planned(PLAN.network_files, "instance"),
    output:
        "results/critic_error/{instance}.csv",
    log:
        "logs/critic_error/{instance}.log",
    benchmark:
        "logs/benchmarks/critic_error/{instance}.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("critic-error"),
        code=code("critic-error"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} critic-error --instance {wildcards.instance:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"


rule exact_bias:
    """How far the mean step of Algorithm 1 is from the gradient, for every κ and T, without sampling."""
    input:
        "logs/compiled/exact.txt",
        [PLAN.network_files[instance] for instance in PLAN.settings["exact_bias"]],
    output:
        PLAN.rows["exact_bias"],
    log:
        "logs/exact_bias.log",
    benchmark:
        "logs/benchmarks/exact_bias.tsv"
    resources:
        mem_mb=1500,
    params:
        jobs=process(
            "exact-bias",
            "--instance {instance} --output results/exact_bias/{instance}.csv",
            instance=PLAN.settings["exact_bias"],
        ),
        code=code("exact-bias"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} > {log:q} 2>&1"


rule mean_step:
    """J along the exact mean step of Algorithm 1, along sampled runs and along the exact gradient."""
    input:
        "logs/compiled/exact.txt",
        "logs/compiled/learn.txt",
        [PLAN.network_files[instance] for instance in PLAN.settings["mean_step"]],
    output:
        PLAN.rows["mean_step"],
    log:
        "logs/mean_step.log",
    benchmark:
        "logs/benchmarks/mean_step.tsv"
    resources:
        mem_mb=1500,
    params:
        jobs=process(
            "mean-step",
            "--instance {instance} --output results/mean_step/{instance}.csv",
            instance=PLAN.settings["mean_step"],
        ),
        code=code("mean-step"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} > {log:q} 2>&1"


rule warm_start:
    """Warm start against zero start of the inner loop, at equal samples and without sampling."""
    input:
        "logs/compiled/exact.txt",
        [PLAN.network_files[instance] for instance in PLAN.settings["warm_start"]],
    output:
        PLAN.rows["warm_start"],
    log:
        "logs/warm_start.log",
    benchmark:
        "logs/benchmarks/warm_start.tsv"
    resources:
        mem_mb=1500,
    params:
        jobs=process(
            "warm-start",
            "--instance {instance} --output results/warm_start/{instance}.csv",
            instance=PLAN.settings["warm_start"],
        ),
        code=code("warm-start"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} > {log:q} 2>&1"


for instance in PLAN.settings["diagnostics"]["instances"]:

    rule:
        """Critic, gradient and policy measured exactly along the runs of Algorithm 1 on one instance."""
        name:
            f"diagnostics_of_{instance}"
        input:
            plan.sac(PLAN.runs_on([instance])),
        output:
            expand(
                "results/diagnostics/{run}.csv",
                run=plan.names_of(PLAN.runs_on([instance])),
            ),
        log:
            f"logs/diagnostics/{instance}.log",
        benchmark:
            f"logs/benchmarks/diagnostics/{instance}.tsv"
        resources:
            mem_mb=1500,
        params:
            jobs=process(
                "diagnostics",
                "results/sac/{run}.npz --output results/diagnostics/{run}.csv",
                run=plan.names_of(PLAN.runs_on([instance])),
            ),
            code=code("diagnostics"),
        shell:
            "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} > {log:q} 2>&1"


rule rivals:
    """Algorithm 1, its extensions and its rivals on one instance at equal samples, with exact J."""
    input:
        "logs/compiled/rivals.txt",
        planned(PLAN.network_files, "instance"),
    output:
        "results/rivals/{instance}.csv",
    log:
        "logs/rivals/{instance}.log",
    benchmark:
        "logs/benchmarks/rivals/{instance}.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("rivals"),
        code=code("rivals"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} rivals --instance {wildcards.instance:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"


rule estimators:
    """Bias and variance of every method's gradient estimate at fixed policies, against the exact gradient."""
    input:
        "logs/compiled/rivals.txt",
        [PLAN.network_files[instance] for instance in PLAN.settings["rivals"]],
    output:
        PLAN.rows["estimators"],
    log:
        "logs/estimators.log",
    benchmark:
        "logs/benchmarks/estimators.tsv"
    resources:
        mem_mb=1500,
    params:
        jobs=process(
            "estimators",
            "--instance {instance} --output results/estimators/{instance}.csv",
            instance=PLAN.settings["rivals"],
        ),
        code=code("estimators"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} > {log:q} 2>&1"


rule simulated:
    """J by simulation along the runs on networks whose joint state space is out of reach."""
    input:
        plan.sac(PLAN.runs_behind["simulated"]),
    output:
        PLAN.rows["simulated"],
    log:
        "logs/simulated.log",
    benchmark:
        "logs/benchmarks/simulated.tsv"
    resources:
        mem_mb=1500,
    params:
        jobs=process(
            "simulated",
            "results/sac/{run}.npz --output results/simulated/{run}.csv",
            run=plan.names_of(PLAN.runs_behind["simulated"]),
        ),
        code=code("simulated"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} > {log:q} 2>&1"


rule summaries:
    """Interquartile means over seeds with bootstrap intervals, and which κ is best at which sample budget."""
    input:
        [PLAN.rows[kind] for kind in PLAN.summarised],
    output:
        summaries=expand("results/summaries/{kind}.csv", kind=PLAN.summarised),
        best="results/best_kappa.csv",
    log:
        "logs/summaries.log",
    benchmark:
        "logs/benchmarks/summaries.tsv"
    resources:
        mem_mb=1000,
    params:
        jobs=process(
            "summary",
            "{kind} {rows} --output results/summaries/{kind}.csv",
            kind=PLAN.summarised,
            rows=[" ".join(PLAN.rows[kind]) for kind in PLAN.summarised],
        ),
        compared=expand("results/summaries/{kind}.csv", kind=PLAN.by_kappa),
        code=code("summary", "best-kappa"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} {params.jobs} --then best-kappa {params.compared:q}"
        " --output {output.best:q} > {log:q} 2>&1"
