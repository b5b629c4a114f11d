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
    """How far the mean step of Algorithm 1 is from the gradient on one instance, for every κ and T, without sampling."""
    input:
        "logs/compiled/exact.txt",
        planned(PLAN.network_files, "instance"),
    output:
        "results/exact_bias/{instance}.csv",
    log:
        "logs/exact_bias/{instance}.log",
    benchmark:
        "logs/benchmarks/exact_bias/{instance}.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("exact-bias"),
        code=code("exact-bias"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} exact-bias --instance {wildcards.instance:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"


rule mean_step:
    """J along the exact mean step of Algorithm 1 on one instance, along sampled runs and along the exact gradient."""
    input:
        "logs/compiled/exact.txt",
        "logs/compiled/learn.txt",
        planned(PLAN.network_files, "instance"),
    output:
        "results/mean_step/{instance}.csv",
    log:
        "logs/mean_step/{instance}.log",
    benchmark:
        "logs/benchmarks/mean_step/{instance}.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("mean-step"),
        code=code("mean-step"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} mean-step --instance {wildcards.instance:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"


rule warm_start:
    """Warm start against zero start of the inner loop on one instance, at equal samples and without sampling."""
    input:
        "logs/compiled/exact.txt",
        planned(PLAN.network_files, "instance"),
    output:
        "results/warm_start/{instance}.csv",
    log:
        "logs/warm_start/{instance}.log",
    benchmark:
        "logs/benchmarks/warm_start/{instance}.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("warm-start"),
        code=code("warm-start"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} warm-start --instance {wildcards.instance:q} {params.options}"
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
    resources:
        mem_mb=1500,
    params:
        options=options("diagnostics"),
        code=code("diagnostics"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} diagnostics {input:q} {params.options} --output {output:q} > {log:q} 2>&1"


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
        planned(PLAN.network_files, "instance"),
    output:
        "results/estimators/{instance}.csv",
    log:
        "logs/estimators/{instance}.log",
    benchmark:
        "logs/benchmarks/estimators/{instance}.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("estimators"),
        code=code("estimators"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} estimators --instance {wildcards.instance:q} {params.options}"
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
    resources:
        mem_mb=1500,
    params:
        options=options("simulated"),
        code=code("simulated"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} simulated {input:q} {params.options} --output {output:q} > {log:q} 2>&1"


rule summary:
    """Interquartile means over seeds with bootstrap intervals, of rows of one kind."""
    input:
        planned(PLAN.rows, "kind"),
    output:
        "results/summaries/{kind}.csv",
    log:
        "logs/summaries/{kind}.log",
    benchmark:
        "logs/benchmarks/summaries/{kind}.tsv"
    resources:
        mem_mb=1000,
    params:
        code=code("summary"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} summary {wildcards.kind:q} {input:q} --output {output:q} > {log:q} 2>&1"


rule best_kappa:
    """Which κ is best at which sample budget: by the critic's error, by J, by the first-order optimality gap."""
    input:
        expand("results/summaries/{kind}.csv", kind=PLAN.by_kappa),
    output:
        "results/best_kappa.csv",
    log:
        "logs/best_kappa.log",
    benchmark:
        "logs/benchmarks/best_kappa.tsv"
    resources:
        mem_mb=1000,
    params:
        code=code("best-kappa"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} best-kappa {input:q} --output {output:q} > {log:q} 2>&1"
