"""A bare aiohttp pass-through, the least that a proxy can do.

`python -m bench.proxy.passthrough PORT` forwards to that port and prints its own.
"""

from __future__ import annotations

import asyncio
import sys

import aiohttp
from aiohttp import web


async def main(upstream: int) -> None:
    """Serve until killed."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def forward(request: web.Request) -> web.StreamResponse:
            headers = {"content-type": "application/json", "authorization": "Bearer sk-upstream"}
            url = f"http://127.0.0.1:{upstream}{request.path_qs}"
            async with session.request(request.method, url, data=await request.read(), headers=headers) as answer:
                body = await answer.read()
                return web.Response(status=answer.status, body=body, content_type="application/json")

        app = web.Application(client_max_size=100_000_000)
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        sys.stdout.write(f"{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
