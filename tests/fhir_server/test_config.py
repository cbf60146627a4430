"""Settings come from the environment, and go to child processes by it."""

from fhir_server.config import Config, from_environment


def test_origins_are_separated_by_commas() -> None:
    config = from_environment({"KAKEHASHI_CORS_ORIGINS": "https://a.example, http://localhost:3000 ,"})
    assert config.cors_origins == ("https://a.example", "http://localhost:3000")


def test_a_child_process_gets_the_same_settings() -> None:
    origins = ("https://a.example", "http://b.example")
    for config in (Config(), Config(open=True, port=1, cors_origins=origins, fold_kana=False)):
        assert from_environment(config.environment()) == config
