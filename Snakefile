# From exact Q-functions to the verdict on every claim, in the paper's order.
from snakemake.utils import min_version

min_version("9.0")

if "instances" not in config:

    configfile: "workflow/config/paper.yaml"


report: "workflow/captions/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/exact.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/sac.smk"
include: "workflow/rules/wireless.smk"
include: "workflow/rules/environments.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/advice.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/formal.smk"
include: "workflow/rules/verdicts.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/site.smk"


# These take less time than a submission to a cluster.
localrules:
    all,
    catalog,
    verdicts,
    manifest,
    paper,
    report,
    site,
    verify,


rule all:
    default_target: True
    input:
        PLAN.evidence(),
        CATALOG,
        MANIFEST,
        PAPER,
        REPORT,
        VERIFIED,
