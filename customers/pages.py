"""The page that a reset link opens, for shops that have none of their own (RESET_LINK)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

_WORDS = {
    "en": {
        "lang": "en",
        "title": "Set a new password",
        "password": "New password",
        "again": "Once more",
        "send": "Save",
        "done": "Your new password is set. Log in with it.",
        "differ": "The two are not the same.",
        "failed": "That did not work. Ask for a new link.",
        "no_script": "This page needs JavaScript.",
    },
    "zh-hans": {
        "lang": "zh-Hans",
        "title": "设置新密码",
        "password": "新密码",
        "again": "再次输入",
        "send": "保存",
        "done": "新密码已生效，请用它登录。",
        "differ": "两次输入不一致。",
        "failed": "操作失败，请重新获取链接。",
        "no_script": "此页面需要 JavaScript。",
    },
}


@require_GET
def reset_password(request: HttpRequest) -> HttpResponse:
    """The token stays in the browser's address; the page's script sends it to resetPasswordToken."""
    words = _WORDS.get(get_language() or "en", _WORDS["en"])
    page = render(request, "customers/reset_password.html", {"words": words})
    page["Cache-Control"] = "no-store"
    page["Referrer-Policy"] = "no-referrer"
    page["Content-Security-Policy"] = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
    return page
