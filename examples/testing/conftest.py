pytest_plugins = ["outdial.testing.plugin"]
