"""Phase 10: writes the documents for the next engineer.

handoff, troubles, links: handoff.md, which this phase writes. report, sections, changes, markup, report.css:
report.html, which the step that ends a deployment writes with `publish`. charts: the only module that imports the
plotting library; load_charts, run_charts: what is drawn with it. store: puts both into the bucket.
"""
