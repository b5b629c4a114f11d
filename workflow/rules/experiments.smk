rule patient:
    """Ascent along eq. (7) with TD's fixed points: what κ does without sampling."""
    input:
        network_files,
    output:
        "results/patient/{instance}.csv",
    log:
        "logs/patient/{instance}.log",
    benchmark:
        "logs/benchmarks/patient/{instance}.tsv"
    params:
        spec=spec,
        options=patient_options,
        code=job_digest("patient"),
    shell:
        "python -m sacrepro patient --instance {wildcards.instance:q} --spec {params.spec:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"


rule critic_error:
    """The critic's error on one instance for every κ, T and seed, against TD's fixed point and against Q_i."""
    input:
        "logs/compiled/learn.txt",
        network_files,
    output:
        "results/critic_error/{instance}.csv",
    log:
        "logs/critic_error/{instance}.log",
    benchmark:
        "logs/benchmarks/critic_error/{instance}.tsv"
    params:
        spec=spec,
        options=critic_error_options,
        code=job_digest("critic_error"),
    shell:
        "python -m sacrepro critic-error --instance {wildcards.instance:q} --spec {params.spec:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"


rule diagnostics:
    """Critic, gradient and policy measured exactly along the runs of Algorithm 1 on one instance with one κ."""
    input:
        "results/sac/{instance}_kappa{kappa}.npz",
    output:
        "results/diagnostics/{instance}_kappa{kappa}.csv",
    log:
        "logs/diagnostics/{instance}_kappa{kappa}.log",
    benchmark:
        "logs/benchmarks/diagnostics/{instance}_kappa{kappa}.tsv"
    params:
        records=DIAGNOSTICS["records"],
        code=job_digest("diagnostics"),
    shell:
        "python -m sacrepro diagnostics {input:q} --records {params.records} --output {output:q} > {log:q} 2>&1"


rule rivals:
    """Algorithm 1, its extensions and its rivals on one instance at equal samples, with exact J."""
    input:
        "logs/compiled/rivals.txt",
        network_files,
    output:
        "results/rivals/{instance}.csv",
    log:
        "logs/rivals/{instance}.log",
    benchmark:
        "logs/benchmarks/rivals/{instance}.tsv"
    params:
        spec=spec,
        options=rival_options,
        code=job_digest("rivals"),
    shell:
        "python -m sacrepro rivals --instance {wildcards.instance:q} --spec {params.spec:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"


rule estimators:
    """Bias and variance of every method's gradient estimate at fixed policies, against the exact gradient."""
    input:
        "logs/compiled/rivals.txt",
        network_files,
    output:
        "results/estimators/{instance}.csv",
    log:
        "logs/estimators/{instance}.log",
    benchmark:
        "logs/benchmarks/estimators/{instance}.tsv"
    params:
        spec=spec,
        options=estimator_options,
        code=job_digest("estimators"),
    shell:
        "python -m sacrepro estimators --instance {wildcards.instance:q} --spec {params.spec:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"


rule simulated:
    """J by simulation along the runs on one network, whose joint state space is out of reach, with one κ."""
    input:
        "results/sac/{instance}_kappa{kappa}.npz",
    output:
        "results/simulated/{instance}_kappa{kappa}.csv",
    log:
        "logs/simulated/{instance}_kappa{kappa}.log",
    benchmark:
        "logs/benchmarks/simulated/{instance}_kappa{kappa}.tsv"
    params:
        options=options(
            {key: SIMULATED[key] for key in SIMULATED if key != "instances"}
        ),
        code=job_digest("simulated"),
    shell:
        "python -m sacrepro simulated {input:q} {params.options} --output {output:q} > {log:q} 2>&1"


rule summary:
    """Interquartile means over seeds with bootstrap intervals, of rows of one kind."""
    input:
        summary_rows,
    output:
        "results/summaries/{kind}.csv",
    log:
        "logs/summaries/{kind}.log",
    benchmark:
        "logs/benchmarks/summaries/{kind}.tsv"
    params:
        code=job_digest("summary"),
    shell:
        "python -m sacrepro summary {wildcards.kind:q} {input:q} --output {output:q} > {log:q} 2>&1"


rule best_kappa:
    """Which κ is best at which sample budget: by the critic's error, by J, by what first-order optimality lacks."""
    input:
        expand("results/summaries/{kind}.csv", kind=BY_KAPPA),
    output:
        "results/best_kappa.csv",
    log:
        "logs/best_kappa.log",
    benchmark:
        "logs/benchmarks/best_kappa.tsv"
    params:
        code=job_digest("best_kappa"),
    shell:
        "python -m sacrepro best-kappa {input:q} --output {output:q} > {log:q} 2>&1"
