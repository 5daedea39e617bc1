"""Documents of every format, as bytes."""

from __future__ import annotations

from pathlib import Path

__all__ = ["HTML", "MARKDOWN", "pdf", "write"]

MARKDOWN = b"""---
title: 'The handbook'
tags: [x]
---
# Refunds

Refunds are possible within *30 days*
of [delivery](https://shop.example/delivery).

## Exceptions

- Books: `14` days.
- Food: never.

| Day | Hours |
|---|---|
| Monday | 9 to 5 |

```python
days = 30
```

# Shipping
Free above 50 euros.
"""
HTML = b"""<!doctype html><html><head><title>Ferry &amp; fares</title><style>p {}</style></head>
<body><nav>Home</nav><h1>Fares</h1><p>A day return costs <b>9.40</b> pounds.<br>Children pay half.
<h2>Dogs</h2><ul><li>Dogs travel <i>free</i>.</li></ul>
<table><tr><th>Day</th><th>Price</th></tr><tr><td>Monday</td><td>3</td></tr></table>
<script>var hidden = 1;</script>Loose text.<!-- not this --></body></html>"""


def pdf(*pages: str, title: str = "") -> bytes:
    """A PDF with a line of text on each page."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(pages)))
    font = "/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"]
    for number, text in enumerate(pages):
        shown = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        box, content = "/MediaBox [0 0 612 792]", f"/Contents {4 + 2 * number} 0 R"
        page = f"<< /Type /Page /Parent 2 0 R /Resources << {font} >> {box} {content} >>"
        objects += [page, f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream"]
    objects.append(f"<< /Title ({title}) >>")
    body, places = b"%PDF-1.4\n", list[int]()
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    tail = (
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    )
    return body + (head + tail).encode()


def write(folder: Path, **files: bytes | str) -> Path:
    """``folder`` with ``files``, whose names are written with two underscores for the dot."""
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
