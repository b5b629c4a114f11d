# From exact Q-functions to the verdict on every claim, in the paper's order.
from snakemake.utils import min_version

min_version("9.0")

if "instances" not in config:

    configfile: "workflow/config/paper.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/exact.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/sac.smk"
include: "workflow/rules/advice.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/verdicts.smk"


rule all:
    default_target: True
    input:
        "results/claims.csv",
        "results/verified.txt",
        expand(f"{FIGURES}/{{figure}}.svg", figure=DRAWN),
        expand("results/advice/{network}.csv", network=ADVICE),
