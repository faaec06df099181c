"""The project's settings come into an environment, and what was there before is kept."""

from tools.install_settings import SETTINGS, install

CONFIG = "jupyter/jupyter_config.json"


def files(folder):
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def test_settings_are_copied_and_a_second_time_changes_nothing(tmp_path):
    assert list(install(tmp_path)) == []
    first = files(tmp_path)
    assert first[CONFIG] == (SETTINGS / CONFIG).read_text()
    assert {name.rpartition(".")[2] for name in first} == {"json", "py"}
    assert list(install(tmp_path)) == []
    assert files(tmp_path) == first


def test_what_was_there_is_kept_and_named(tmp_path):
    place = tmp_path / CONFIG
    place.parent.mkdir()
    for number, own in enumerate(("first", "second"), start=1):
        place.write_text(own)
        (told,) = install(tmp_path)
        assert told == f"{place} was there already: it is kept as jupyter_config.json.{number}."
    assert place.read_text() == (SETTINGS / CONFIG).read_text()
    assert [place.with_name(f"{place.name}.{n}").read_text() for n in (1, 2)] == ["first", "second"]


def test_a_link_is_kept_and_what_it_leads_to_is_not_written(tmp_path):
    shared = tmp_path / "shared"
    shared.write_text("shared")
    place = tmp_path / "etc" / CONFIG
    place.parent.mkdir(parents=True)
    place.symlink_to(shared)
    assert len(list(install(tmp_path / "etc"))) == 1
    assert shared.read_text() == "shared"
    assert place.with_name("jupyter_config.json.1").read_text() == "shared"
    assert not place.is_symlink()
