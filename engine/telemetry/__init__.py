"""What an operator can watch: spans and metrics by OpenTelemetry, in a process that has set it up.

A process that has not imported `opentelemetry` itself has nothing set up: then nothing is imported here either, and nothing
done. Only what was committed is told: names, codes and counts, and never a fact, an actor, or what an exception says.
docs/howto/observe.md lists every name.
"""
