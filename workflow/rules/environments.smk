rule environments:
    """How D_i(κ) decays in each application of the introduction, next to what the influence matrix certifies."""
    input:
        exact=plan.exact(
            name for name in PLAN.settings["environments"] if name in PLAN.evaluated
        ),
        files=[path for name in PLAN.certified for path in PLAN.network_files[name]],
    output:
        "results/environments.csv",
    log:
        "logs/environments.log",
    benchmark:
        "logs/benchmarks/environments.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("environments"),
        code=code("environments"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} environments {input.exact:q} {params.options}"
        " --output {output:q} > {log:q} 2>&1"


rule gallery:
    """Real cases from network files: advice, decay, and SAC beside an expert's rule, with the page that tells them."""
    input:
        "logs/compiled/exact.txt",
        "logs/compiled/learn.txt",
        [
            path
            for name in PLAN.settings["gallery"]
            for path in PLAN.network_files[name][1:]
        ],
        [own["expert"] for own in PLAN.settings["gallery"].values()],
        files=[PLAN.network_files[name][0] for name in PLAN.settings["gallery"]],
    output:
        csv="results/gallery.csv",
        markdown=PLAN.gallery,
    log:
        "logs/gallery.log",
    benchmark:
        "logs/benchmarks/gallery.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("gallery"),
        code=code("gallery"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} gallery {input.files:q} {params.options} --markdown {output.markdown:q}"
        " --output {output.csv:q} > {log:q} 2>&1"


rule table1:
    """Table 1 of the paper as numbers: what truncation and a sum of single-agent functions do in each setting."""
    input:
        plan.exact(PLAN.settings["table1"]),
    output:
        csv="results/table1.csv",
        markdown="results/table1.md",
    log:
        "logs/table1.log",
    benchmark:
        "logs/benchmarks/table1.tsv"
    resources:
        mem_mb=1500,
    params:
        options=options("table1"),
        code=code("table1"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} table1 {input:q} {params.options} --markdown {output.markdown:q}"
        " --output {output.csv:q} > {log:q} 2>&1"


rule locality:
    """What locality costs: the best joint and the best localized policy, and SAC's final ones, with certified gaps."""
    input:
        exact=plan.exact(PLAN.settings["locality"]),
        runs=plan.sac(PLAN.runs_on(PLAN.settings["locality"])),
    output:
        "results/locality.csv",
    log:
        "logs/locality.log",
    benchmark:
        "logs/benchmarks/locality.tsv"
    resources:
        mem_mb=1500,
    params:
        code=code("locality"),
    shell:
        "python -m sacrepro.study --mem-mb {resources.mem_mb} locality {input.exact:q} --runs {input.runs:q}"
        " --output {output:q} > {log:q} 2>&1"
