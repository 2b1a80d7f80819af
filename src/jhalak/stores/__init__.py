"""The seams: what an installation keeps outside its rows. Objects (files) and events (the log).

Small by default (a folder, a SQLite file), an engine when outgrown (S3, JetStream): the same
protocols, held to the same conformance suites in tests/stores/. No Django and no HTTP here.
"""
