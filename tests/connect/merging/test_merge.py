from inference.connect.merging.merge import merged


def test_the_line_breaks_of_a_file_stay() -> None:
    assert merged('{\r\n  "a": 1\r\n}\r\n', '{"b": 2}', "json") == '{\r\n  "a": 1,\r\n  "b": 2\r\n}\r\n'
    assert merged("a = 1\r\n", "b = 2", "toml") == "a = 1\r\nb = 2\r\n"
    assert merged("a: 1\r\n", "b: 2", "yaml") == "a: 1\r\nb: 2\r\n"
    assert merged("a = 1\r\nc = 1\n", "b = 2", "toml") == "a = 1\r\nc = 1\nb = 2\n"


def test_an_empty_file_gets_the_settings_as_they_are() -> None:
    assert merged("", '{ "b": 2 }\n', "json") == merged(" \n", '{ "b": 2 }\n', "json") == '{ "b": 2 }\n'
