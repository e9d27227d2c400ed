import made_up_release as made_up
import pytest

from pipeline.disseminate.report import render_reports


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    render_reports(
        made_up.release(),
        made_up.captions(),
        folder,
        wave=made_up.WAVE,
        languages=made_up.LANGUAGES,
    )
    return folder
