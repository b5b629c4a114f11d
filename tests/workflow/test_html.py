"""The HTML report opens offline in a browser and leads to a figure."""

import pytest
from browser import CHROMIUM, browser
from runs import finished_once

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(tmp_path_factory, finished):
    return finished_once(tmp_path_factory, "html", "--report", "report.html", after=finished) / "report.html"


def test_the_report_is_one_file_that_fetches_nothing(page):
    text = page.read_text()
    assert 'src="http' not in text
    assert '<link href="http' not in text


@pytest.mark.skipif(not CHROMIUM, reason="Debian's chromium is not installed")
def test_a_reader_clicks_from_the_landing_page_to_a_figure(page, tmp_path):
    with browser(tmp_path) as shown:
        shown.open(page.as_uri())
        shown.wait("return document.body.innerText.includes('Where to look.')")
        for category in ("Claims", "Experiments", "Verdicts", "Document"):
            assert category in shown.text()
        shown.click("Claims")
        shown.wait("return document.body.innerText.includes('D_i(κ) ≤')")
        row = "[...document.querySelectorAll('tr')].find((row) => row.innerText.startsWith('lemma3'))"
        shown.run(f"{row}.querySelector('a[iconname=eye]').click()")
        drawn = """
            return [...document.querySelectorAll("img, object, iframe, embed")].some((node) => {
                const place = node.src || node.data || "";
                const box = node.getBoundingClientRect();
                return place.startsWith("data:image/svg+xml") && !place.includes("logo.svg") && box.width > 200
                    && (node.naturalWidth === undefined || node.naturalWidth > 200);
            });
        """
        shown.wait(drawn)
        shown.run(f"{row}.querySelector('a[iconname=information-circle]').click()")
        shown.wait("return document.body.innerText.includes('would falsify the claim')")
        assert len(shown.screenshot()) > 10_000
