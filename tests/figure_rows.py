"""Rows for every figure, made up: several κ, a zero, a bound that falls steeply, one κ only, a name of any letters."""

import math

from sacrepro.study.audit.adversary import Found
from sacrepro.study.bench.exact import VALUES, Timing
from sacrepro.study.bench.sac import Throughput
from sacrepro.study.claims import CLAIMS, claim
from sacrepro.study.drawings.decay import FAMILY_MARKERS
from sacrepro.study.experiments.environments import EnvironmentRow, MapRow
from sacrepro.study.experiments.exact_bias import GRADIENT, MEAN_STEP, STARTS, BiasRow, MeanRow, WarmRow
from sacrepro.study.experiments.gallery import GalleryRow
from sacrepro.study.experiments.methods import EXACT, EstimatorRow
from sacrepro.study.experiments.summary import SummaryRow
from sacrepro.study.experiments.table1 import Table1Row
from sacrepro.study.experiments.wireless import WirelessRow
from sacrepro.study.record.comparison import Comparison, Verdict

ERROR = 1e-9


def made(kind, **fields):
    """A row with 1.0 or "" in every field that is not given."""
    return kind(**{name: fields.get(name, 1.0) for name in kind._fields})


def comparison(instance, hypothesis, case, kappa, left, right, agent=0, trivial=math.inf, policy="uniform"):
    return Comparison(instance, policy, hypothesis, case, agent, kappa, left, right, ERROR, trivial)


def over_kappa(instances, variants, cases=("",)):
    """Left sides that fall by 10 a κ below falling right sides; 0 on the second instance, one κ on the third."""
    rows = []
    for place, name in enumerate(instances):
        for kappa in range(1 if place == 2 else 4):
            for k, case in enumerate(cases):
                for variant in variants:
                    for agent in range(3):
                        left = 0.0 if place == 1 else 0.9 ** (k + agent) * 10.0**-kappa * (kappa < 3)
                        rows.append(comparison(name, variant, case, kappa, left, 10.0**-kappa, agent))
    return rows


def summaries(instances, quantities, series=("0", "1", "8"), x=(0, 500, 1000)):
    return [
        SummaryRow(name, kappa, float(m), quantity, value, 0.9 * value, 1.1 * value, 3)
        for name in instances
        for kappa in series
        for quantity in quantities
        for m in x
        for value in [(1.0 + int(kappa)) / (1.0 + m)]
    ]


def verdict(claim, judged, ratio):
    return Verdict(claim, "", "x ≤ y", "Lemma", 1, 10, 10, 0, ratio, "relay", math.nan, 1e-9, judged, "")


def map_rows(instances):
    return [
        MapRow(
            name, "uniform", 0, j, float(j), float(j % 2), neighbors, j, 0.0 if k == 1 else 0.5**j, 2.0 * 0.9**j, ERROR
        )
        for k, name in enumerate(instances)
        for j, neighbors in enumerate(("1", "0 2", "1"))
    ]


def rows_of(figure, instances):
    """Rows of one figure about these instances."""
    lengths = (100, 1000, 10_000)
    drawn = list(claim(figure).drawing.lines) if figure in CLAIMS else []
    families = list(FAMILY_MARKERS)[: 8 if figure == "lemma4" else 7] if figure in {"truncation", "lemma4"} else [""]
    made_up = {
        "lemma1": lambda: over_kappa(instances, [""]),
        "anatomy": lambda: over_kappa(instances, ["r̄ for the span", *(f"lemma3: {name}" for name in instances)]),
        "complexity": lambda: over_kappa(instances, ["table", "written", "joint"]),
        "definition2": lambda: over_kappa(instances, drawn, ["given", "worst"]),
        "light_cone": lambda: [
            row._replace(case=f"T={T}") for row in over_kappa(instances, drawn) for T in (1, 2, 4, 8)
        ],
        "critic": lambda: [
            comparison(name, variant, f"T={T}", kappa, 5.0 / T, 1e7 / T * 10**kappa, agent, trivial=10.0)
            for name in instances
            for variant in drawn
            for T in lengths
            for kappa in range(3)
            for agent in range(2)
        ],
        "assumption3": lambda: [
            comparison(
                name,
                "floor",
                f"τ={tau}",
                kappa,
                0.0 if k == 1 else 10.0 ** -(9 * kappa + 5),
                0.0 if k == 1 else 10.0**-kappa,
            )
            for k, name in enumerate(instances)
            for tau in (2, 3, 5, 9)
            for kappa in range(3)
        ],
        "theorem5": lambda: [
            comparison(name, variant, "", kappa, 1e2 * 5**kappa, right * 10.0**kappa, trivial=trivial)
            for name in instances
            for variant, right, trivial in (
                ("T of (8)", 1e9, math.inf),
                ("(9)", 1e6, 1e3),
                ("(9) along runs", 1e7, 1e3),
            )
            for kappa in range(4)
        ],
        "vacuity": lambda: [
            comparison(name, variant, "from κ=7", kappa, 0.1, 10.0 + kappa, trivial=2.0)
            for name in instances
            for variant in drawn[:5]
            for kappa in range(3)
        ],
        "adversary": lambda: [
            Found(name, "variant", 1, 1, 0, 0.3, 0.9, "", 0.0 if k == 1 else 1.0, "")
            for k, name in enumerate(instances)
        ],
        "learning": lambda: summaries(instances, ["J_estimate"]),
        "objective": lambda: summaries(instances, ["J"]),
        "simulated": lambda: summaries(instances, ["J"]),
        "stationarity": lambda: summaries(instances, ["gradient_norm_squared", "gap"]),
        "exact_critic": lambda: summaries(instances, ["gradient_norm_squared", "gap", "J"]),
        "critic_error": lambda: summaries(instances, ["to_q_star", "to_Q", "bias"], x=lengths),
        "critic_floor": lambda: summaries(
            instances, ["to_Q", "bias", "bias_sup", "locality", "paper"], ("0", "1", "2"), lengths
        ),
        "diagnostics": lambda: [
            *summaries(instances, ["first_visit_share", "to_q_star", "variance", "bias_squared", "cosine", "entropy"]),
            *summaries(instances[:1], ["to_Q"]),
        ],
        "extensions": lambda: [
            SummaryRow(name, series, float(x), "J", x + k, x + k - 0.1, x + k + 0.1, 3)
            for name in instances
            for k, series in enumerate(("SAC | 1", "TD(λ) | 2", EXACT))
            for x in (0, 5)
        ],
        "estimators": lambda: [
            EstimatorRow(name, method, policy, 10, 100, 0.5 if method == "SAC" else 1e-5, 1.0, 0.7, 0.9)
            for name in instances
            for policy in ("uniform", "gaussian")
            for method in ("SAC", "full critic")
        ],
        "environments": lambda: [
            made(
                EnvironmentRow,
                instance=name,
                model="m",
                n=9,
                policy="uniform",
                kappa=kappa,
                D=(math.nan, 0.0, 0.1**kappa)[k % 3],
                D_error=ERROR,
                lemma3=10.0 * 0.9**kappa,
            )
            for k, name in enumerate(instances)
            for kappa in range(1 if k == 3 else 3)
        ],
        "gallery": lambda: [
            row
            for k, name in enumerate(instances)
            for row in (
                *(
                    GalleryRow(name, 4, "D", "uniform", j, -1, 0.0 if k == 1 else 0.1**j, 0.1**j, 0.1**j)
                    for j in range(3)
                ),
                *(
                    GalleryRow(name, 4, "influence", "every policy", j, -1, 0.0, 9 * 0.5**j, 9 * 0.5**j)
                    for j in range(3)
                ),
                GalleryRow(name, 4, "J", "expert's rule", -1, -1, 2.0, 2.0, 2.0),
                GalleryRow(name, 4, "J", "uniform", -1, -1, 1.0, 1.0, 1.0),
                *(GalleryRow(name, 4, "J", "SAC", j, 0, 1.5 + j, 1.5 + j, 1.5 + j) for j in range(2)),
            )
        ],
        "table1": lambda: [
            made(
                Table1Row,
                setting=name,
                instance="x",
                policy="uniform",
                kappa=kappa,
                D=0.0 if k == 1 else 0.1**kappa,
                D_error=ERROR,
                lemma3=10.0,
                influence=5.0 * 0.5**kappa,
                truncated=0.0 if k == 1 else 0.05**kappa,
            )
            for k, name in enumerate(instances)
            for kappa in range(1 if k == 2 else 3)
        ],
        "wireless_benchmark": lambda: [
            *(
                WirelessRow(method, "", kappa, seed, m, 0.1 + 0.01 * m, 0.01, 0.5)
                for method in ("Algorithm 1", "published variant")
                for kappa in (0, 1)
                for seed in (0, 1)
                for m in (0, 5, 10)
            ),
            *(WirelessRow(name, "", 0, 0, 0, 0.1 * (k + 1), 0.01, math.nan) for k, name in enumerate(instances)),
        ],
        "bench_exact": lambda: [
            made(Timing, quantity=VALUES, family=name, n=n, gamma=0.9, method=method, status="ok", seconds=k * 2.0**n)
            for name in instances
            for k, method in enumerate(("engine", *instances), 1)
            for n in (4, 6, 8)
        ],
        "bench_sac": lambda: [
            made(
                Throughput, family=name, n=n, S=2, A=2, kappa=kappa, method=method, status="ok", seeds=1, T=9
            )._replace(agent_steps_per_second=1e6 / (1 + kappa), peak_mb=float(n))
            for name in instances
            for method in ("sac", "sac_seeds", "transcription")
            for kappa in range(3)
            for n in (10, 1000)
        ],
        "exact_bias": lambda: [
            BiasRow(name, kappa, T, 0.5**kappa / T, 1e-9, 0.01 * 0.5**kappa, 1.0, int(kappa == 0), 0.5)
            for name in instances
            for kappa in range(3)
            for T in (10, 100, 1000)
        ],
        "mean_step": lambda: [
            MeanRow(name, 0, 100, eta, run, m, 1.0 - eta * (k + 1) / (2.0 + m))
            for name in instances
            for eta in (0.5, 0.25)
            for k, run in enumerate((MEAN_STEP, GRADIENT, "0", "1", "2"))
            for m in (0, 5, 10)
        ],
        "warm_start": lambda: [
            WarmRow(name, kappa, start, 100, m, (2.0 + kappa) / (1.0 + k * m), ERROR, 3.0)
            for name in instances
            for kappa in (0, 1)
            for k, start in enumerate(STARTS)
            for m in (1, 2, 4)
        ],
        "decay_map": lambda: map_rows(instances[:3]),
        "overview": lambda: [
            verdict(name, judged, ratio)
            for name, judged, ratio in zip(
                (*instances, "a", "b", "c", "d")[: max(5, len(instances))],
                ("holds", "tight", "vacuous", "holds", "violated"),
                (math.nan, 1.0, math.nan, 0.0, 1.5),
                strict=False,
            )
        ],
    }
    return made_up[figure]() if figure in made_up else over_kappa(instances, drawn, families)
