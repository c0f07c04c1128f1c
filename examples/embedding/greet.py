"""Calls the function of a project by its name, and with a request."""

import sys

import ubiq

with ubiq.Project(sys.argv[1] if len(sys.argv) > 1 else "greeter") as project:
    print(project.invoke("greet", b"Ada", timeout=1).decode())
    answer = project.request("POST", "/greet", b"Bob")
    print(f"{answer.status}: {answer.text()}")
