"""Every figure, from made-up rows: nothing is cut or covered, legends name what is there, bounds are at their κ."""

import functools
import math
from contextlib import ExitStack
from itertools import combinations
from unittest.mock import patch

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cbook import is_math_text
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from figure_rows import comparison, made, rows_of
from sacrepro.adviser.advice import AgentRow
from sacrepro.study.drawings import FIGURES, drawing
from sacrepro.study.drawings import made as entitled
from sacrepro.study.drawings.critic import length_label
from sacrepro.study.drawings.messages import TOLD
from sacrepro.study.drawings.networks import advice
from sacrepro.study.drawings.panels import house_style, kappa_color, kappa_marker, literal
from sacrepro.study.experiments.methods import EXACT, METHODS

PLAIN = ("relay", "weakly_coupled", "single", "path", "ring")
NASTY = ("<b>a&b</b>", "a $ and_b", "of $x$ and\nmore", "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET} $", "_W" * 40)


def agents(names, kappas=(0, 1, 7, -1)):
    return [
        made(
            AgentRow,
            name=name,
            kappa=kappas[k % len(kappas)],
            rate=0.1 + 0.1 * k,
            x=math.cos(2 * k),
            y=math.sin(3 * k),
            looked_at=k == 0,
        )
        for k, name in enumerate(names)
    ]


@functools.cache
def drawn(name, instances):
    """The figure of this name; advice is two more. Of plain names with its title, as it is written."""
    with house_style():
        if name.startswith("advice"):
            rows = agents(instances)
            if name == "advice, one rate":
                rows = [row._replace(rate=0.25) for row in rows]
            return advice(rows, [(k, k + 1) for k in range(len(instances) - 1)], 0.5)
        rows = rows_of(name, instances)
        return entitled(drawing(name), rows, drawing(name).message(rows) if instances == PLAIN else "")


@functools.cache
def texts(figure):
    """Every text that is drawn, with its box in pixels."""
    found = []

    def noted(self, renderer):
        if self.get_visible() and self.get_text().strip():
            found.append((self, self.get_window_extent(renderer)))

    FigureCanvasAgg(figure)
    with ExitStack() as patched:
        patched.enter_context(house_style())
        patched.enter_context(patch.object(Text, "draw", noted))
        for other in (Line2D, Patch, Collection):
            patched.enter_context(patch.object(other, "draw", lambda self, renderer: None))
        figure.draw_without_rendering()
    return found


ALL = [*FIGURES, "advice", "advice, one rate"]


@pytest.mark.parametrize("instances", [PLAIN, NASTY], ids=["plain", "nasty"])
@pytest.mark.parametrize("name", ALL)
def test_no_text_is_cut_or_covers_another(name, instances):
    figure = drawn(name, instances)
    boxes = texts(figure)
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in boxes:
        inside = box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1
        assert inside, f"{text.get_text()!r} leaves the figure: {box}"
    for (one, a), (other, b) in combinations(boxes, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        up = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across < 1 or up < 1, f"{one.get_text()!r} and {other.get_text()!r} overlap"


@pytest.mark.parametrize("name", FIGURES)
def test_a_title_is_above_everything_and_inside(name):
    figure, title = drawn(name, PLAIN), drawing(name).message(rows_of(name, PLAIN))
    if title:
        texts(figure)  # lays it out
        box = figure.texts[-1].get_window_extent()
        assert figure.texts[-1].get_text().replace("\n", " ") == title
        assert box.x0 > -1
        assert box.x1 < figure.bbox.width + 1
        assert box.y1 < figure.bbox.height + 1
        others = [*figure.texts[:-1], *figure.legends, *(axes.title for axes in figure.axes)]
        assert all(other.get_window_extent().y1 <= box.y0 + 1 for other in others)


def shown(text):
    """What a reader sees of a text that is no formula."""
    return text.replace(r"\$", "$").replace("\N{HAIR SPACE}", "")


@pytest.mark.parametrize("name", ALL)
def test_names_are_shown_letter_by_letter(name):
    figure = drawn(name, NASTY)
    seen = [text.get_text() for text, _ in texts(figure)]
    asked = NASTY[:3] if name == "decay_map" else NASTY
    for label in map(literal, asked[:4]):
        bearing = [text for text in seen if shown(label) in shown(text)]
        assert bearing, f"{label!r} is not among {seen}"
        for text in bearing:  # whatever dollars it has are those of formulas of the drawing
            assert not is_math_text(text.replace(label, "")) or "$" in text.replace(label, "")
    if len(asked) > 4:
        assert any("…" in text and "W" in text for text in seen)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("relay", "relay"),
        ("a$b", r"a\$b"),
        ("$x$", r"\$x\$"),
        ("_x", "\N{HAIR SPACE}_x"),
        ("two\nlines\tand\x00more", "two lines andmore"),
        ("<b>", "<b>"),
        ("", ""),
    ],
)
def test_a_label_is_its_name(name, label):
    assert literal(name) == label
    assert not is_math_text(literal(name))


def test_a_long_label_keeps_both_ends():
    label = literal("first" + 80 * "x" + "last")
    assert label.startswith("first")
    assert label.endswith("last")
    assert "…" in label
    assert len(label) < 30


def artists(figure):
    """Everything with data and a label or a colour."""
    for axes in figure.get_axes():
        for line in axes.get_lines():
            if np.isfinite(np.asarray(line.get_ydata(), dtype=float)).any() and len(line.get_xdata()):
                yield axes, line


@pytest.mark.parametrize("name", ALL)
def test_every_entry_of_a_legend_is_drawn(name):
    figure = drawn(name, PLAIN)
    labels = {line.get_label() for _, line in artists(figure)}
    labels |= {patch.get_label() for axes in figure.get_axes() for patch in axes.containers}
    colors = {to_rgba(line.get_color()) for _, line in artists(figure)}
    for legend in figure.legends:
        handles = legend.legend_handles
        for handle, text in zip(handles, legend.get_texts(), strict=True):
            swatch = isinstance(handle, Line2D) and to_rgba(handle.get_color()) in colors
            hollow = isinstance(handle, Line2D) and handle.get_fillstyle() == "none"
            kappa = text.get_text().startswith(r"$\kappa=")
            assert text.get_text() in labels or (kappa and swatch) or hollow, text.get_text()


@pytest.mark.parametrize("name", ALL)
def test_no_line_is_invisible(name):
    """A line without markers through one point shows nothing."""
    for _, line in artists(drawn(name, PLAIN)):
        if line.get_marker() in {"None", None, ""} and line.get_linestyle() != "None":
            x, y = (np.asarray(data, dtype=float) for data in (line.get_xdata(), line.get_ydata()))
            assert len({*zip(x, y, strict=True)}) > 1, (line.get_label(), x, y)


@pytest.mark.parametrize("name", ALL)
def test_no_panel_is_empty_without_a_word(name):
    figure = drawn(name, PLAIN)
    for axes in figure.get_axes():
        visible = axes.get_visible() and axes.axison
        filled = axes.lines or axes.collections or axes.patches or axes.images
        if visible and axes.get_label() != "<colorbar>":
            assert filled or axes.texts or axes.xaxis.get_ticklabels(), axes.get_title()
        if axes.texts and not filled:  # words instead of data: no scale beside them
            assert not len(axes.get_yticks())


DODGED = ("lemma3", "truncation", "lemma4", "lemma4_sharp", "reward_radius", "complexity", "critic")


def segments(line):
    """The level pieces of a line: left end, right end, height; None where a piece is not level."""
    x, y = (np.asarray(data, dtype=float) for data in (line.get_xdata(), line.get_ydata()))
    for k in range(len(x) - 1):
        if np.isfinite(y[k : k + 2]).all() and np.isfinite(x[k : k + 2]).all():
            yield (x[k], x[k + 1], y[k]) if y[k] == y[k + 1] else None


@pytest.mark.parametrize("name", DODGED)
def test_a_bound_is_level_over_the_markers_of_its_kappa_and_ends_there(name):
    figure = drawn(name, PLAIN)
    markers = 0
    for axes in figure.get_axes():
        lines = list(axes.get_lines())
        bounds = [line for line in lines if line.get_linestyle() in {"--", ":"}]
        pieces = [piece for line in bounds for piece in segments(line)]
        assert None not in pieces, f"{name}: a bound slopes between two κ"
        assert all(right - left <= 0.9 for left, right, _ in pieces)
        for line in lines:
            if line.get_marker() not in {"None", "", "_"}:
                for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True):
                    over = [height for left, right, height in pieces if left <= x <= right]
                    assert over, f"{name}: no bound over the marker at {x}"
                    assert y <= min(over) * (1 + 1e-9) or name in {"lemma4_sharp", "complexity"}
                    markers += 1
    assert markers > 20


def test_kappa_has_one_colour_and_more_than_seven_kappas_differ():
    looks = [(kappa_color(k), kappa_marker(k)) for k in range(20)]
    assert len(set(looks)) == 20
    assert len({kappa_marker(k) for k in range(7)}) == 7, "told apart without colour"
    assert [kappa_color(k) for k in range(7)] == [kappa_color(k + 7) for k in range(7)]


def test_markers_of_kappa_have_its_colour_in_every_figure():
    for name in ("lemma3", "lemma4", "influence", "environments", "td_fixed_point", "reward_radius"):
        for axes in drawn(name, PLAIN).get_axes():
            for line in axes.get_lines():
                if line.get_linestyle() == "None" and len(line.get_xdata()):
                    kappas = {round(x) for x in line.get_xdata()}
                    assert [line.get_color()] == [kappa_color(k) for k in kappas], name


@pytest.mark.parametrize(
    "name", ["objective", "stationarity", "exact_critic", "critic_error", "exact_bias", "learning"]
)
def test_curves_of_kappa_are_told_apart_without_colour(name):
    """Seen: curves that a grey print made alike."""
    panels = [[line for line in axes.get_lines() if "kappa=" in line.get_label()] for axes in drawn(name, PLAIN).axes]
    assert max(map(len, panels)) > 1
    for curves in panels:
        assert all(line.get_marker() == kappa_marker(int(line.get_label()[8:-1])) for line in curves)
        assert len({line.get_marker() for line in curves}) == len(curves)


@pytest.mark.parametrize("name", ["lemma3", "actions_one_hop_later", "appendix_a", "definition2", "environments"])
def test_policies_are_told_apart_by_their_markers(name):
    rows = [row._replace(policy=policy) for row in rows_of(name, PLAIN) for policy in ("uniform", "gaussian 1")]
    with house_style():
        figure = drawing(name).draw(rows)
    (legend,) = figure.legends
    of = {
        text.get_text().rpartition(", ")[2]: handle.get_marker()
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True)
        if "policy" in text.get_text() and handle.get_marker() not in {"None", "", "X"}
    }
    assert {"uniform policy", "gaussian 1 policy"} <= {*of}
    assert of["uniform policy"] != of["gaussian 1 policy"]


def test_the_closest_kappa_is_ringed_and_the_legend_says_so():
    figure = drawn("exact_bias", PLAIN)
    best = [(row.T, row.bias) for row in rows_of("exact_bias", PLAIN) if row.best]
    rings = [line for axes in figure.get_axes() for line in axes.get_lines() if line.get_fillstyle() == "none"]
    assert sorted(point for ring in rings for point in ring.get_xydata().tolist()) == sorted(map(list, best))
    assert r"closest to $\nabla J$" in {text.get_text() for text in figure.legends[0].get_texts()}


def test_every_method_is_told_in_words():
    assert list(TOLD) == [*METHODS, EXACT]


@pytest.mark.parametrize("name", ["lemma3", "truncation", "lemma4", "influence", "td_fixed_point", "critic_sharp"])
def test_zeros_are_said(name):
    figure = drawn(name, PLAIN)
    said = {axes.get_title(): [text.get_text() for text in axes.texts] for axes in figure.get_axes()}
    assert said["weakly_coupled"] == ["0 up to the certificate"]
    assert said["relay"] == [r"$\kappa = 3$: 0 up to the certificate"]
    assert said["single"] == []


def test_theorem_5_shows_both_sides_of_9_and_what_holds_anyway():
    figure = drawn("theorem5", PLAIN)
    titles = [axes.get_title() for axes in figure.get_axes()]
    assert [title.startswith("(9)") for title in titles] == [False, True, True]
    for axes in figure.get_axes()[1:]:
        labels = {line.get_label() for line in axes.get_lines()}
        assert {"left side", "right side", "holds at every θ"} <= labels
        levels = {line.get_xdata()[0] for line in axes.get_lines() if line.get_label() == "holds at every θ"}
        assert levels == {1e3}


def test_what_9_bounds_is_on_no_scale_where_it_is_0_up_to_the_certificate():
    rows = [row._replace(left=1e-31) if row.hypothesis == "(9)" else row for row in rows_of("theorem5", PLAIN)]
    with house_style():
        axes = drawing("theorem5").draw(rows).get_axes()[1]
    assert axes.get_xlim()[0] > 1.0
    assert [text.get_text() for text in axes.texts] == ["0 up to the certificate"] * len(PLAIN)


def test_the_critic_shows_its_bounds_and_what_holds_anyway():
    for axes in drawn("critic", PLAIN).get_axes()[:5]:
        labels = [line.get_label() for line in axes.get_lines()]
        assert sum(label.startswith("the paper's bound") for label in labels) == 3  # one a κ
        assert any("trivial bound" in label for label in labels)


def test_long_runs_have_powers_of_ten_for_labels():
    assert [length_label(T) for T in (100, 1000, 10_000, 31_623, 10_000_000)] == [
        "100", "1000", "$10^4$", "31623", "$10^7$",
    ]  # fmt: skip


@pytest.mark.parametrize("names", [("alpha", "beta", "gamma_with_a_name_longer_than_its_node")])
def test_names_of_agents_are_legible(names):
    figure = drawn("advice", names)
    left = figure.get_axes()[0]
    written = [text for text in left.texts if shown(text.get_text())[:4] in {name[:4] for name in names}]
    assert len(written) == 3
    assert all(text.get_color() == "black" for text in written)


def test_one_rate_for_all_is_said_and_not_coloured():
    figure = drawn("advice, one rate", PLAIN)
    assert len(figure.get_axes()) == 1
    assert any("0.25 for all" in text.get_text() for text, _ in texts(figure))


@pytest.mark.parametrize("name", ["lemma4_vector", "lemma4_sharp"])
def test_the_bound_on_the_stars_is_no_bound_on_the_dots(name):
    """Seen: its tick began under the dots, which rightly exceed it, and its dashes were those of another bound."""
    variants, variant = ("paper", "TD's limit", "any weights"), "natural weights"
    rows = [
        comparison(instance, *row, kappa, left, right)
        for instance in PLAIN
        for kappa in range(5)
        for row, left, right in (
            *(((other, "random"), 5.0 * 0.5**kappa, 20.0 * 0.5**kappa) for other in variants),
            ((variant, "natural"), 0.5**kappa, 2.0 * 0.5**kappa),
        )
    ]
    with house_style():
        figure = drawing(name).draw(rows)
        FigureCanvasAgg(figure).draw()
    for axes in figure.get_axes()[: len(PLAIN)]:
        (tick,) = [line for line in axes.get_lines() if "the stars alone" in line.get_label()]
        others = [line for line in axes.get_lines() if line.get_linestyle() != "None" and line is not tick]
        assert tick.get_linestyle() not in {line.get_linestyle() for line in others}
        dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
        stars = [line for line in axes.get_lines() if line.get_marker() == "*"]
        assert len(dots) == len(stars) == 5
        for kappa, (dot, star) in enumerate(zip(dots, stars, strict=True)):
            first, last = tick.get_xdata()[3 * kappa : 3 * kappa + 2]
            radius = 0.5 * dot.get_markersize() * figure.dpi / 72
            place, left, right = (axes.transData.transform((x, 1.0))[0] for x in (dot.get_xdata()[0], first, last))
            assert place + radius < left
            assert first < star.get_xdata()[0] < last
            if kappa < 4:  # and the next dots are right of it
                assert right < axes.transData.transform((dots[kappa + 1].get_xdata()[0], 1.0))[0] - radius
