"""What both channels send, in Chinese and English; staff may edit them."""

from django.db import migrations

CODE_CN = "【{brand}】您的验证码是 {pin}，{minutes} 分钟内有效。请勿告诉他人。"
CODES = {
    "update": (
        "【{brand}】您正在修改账户信息，验证码是 {pin}，{minutes} 分钟内有效。请勿告诉他人。",
        "[{brand}] Your code to change your account is {pin}. It is valid for {minutes} minutes. Tell it to nobody.",
    ),
    "verify": (
        "【{brand}】您正在验证手机号，验证码是 {pin}，{minutes} 分钟内有效。请勿告诉他人。",
        "[{brand}] Your code to verify this phone is {pin}. It is valid for {minutes} minutes. Tell it to nobody.",
    ),
    "password": (
        "【{brand}】您正在找回密码，验证码是 {pin}，{minutes} 分钟内有效。请勿告诉他人。",
        "[{brand}] Your code to reset your password is {pin}. It is valid for {minutes} minutes. Tell it to nobody.",
    ),
}
# Key → subject and text, in Chinese and in English. They go out by SMS, the subject left out, and by e-mail.
NOTICES = {
    "password-changed": (
        ("您的密码已更改", "您的账户密码刚刚更改。如非本人操作，请立即联系我们。"),
        ("Your password was changed", "Your password was just changed. If it was not you, contact us at once."),
    ),
    "phone-changed": (
        ("您的手机号已更改", "您账户的手机号刚刚更改。如非本人操作，请立即联系我们。"),
        (
            "Your cell phone number was changed",
            "The cell phone number of your account was just changed. If it was not you, contact us at once.",
        ),
    ),
    "email-changed": (
        ("您的邮箱已更改", "您账户的电子邮箱刚刚更改。如非本人操作，请立即联系我们。"),
        (
            "Your e-mail address was changed",
            "The e-mail address of your account was just changed. If it was not you, contact us at once.",
        ),
    ),
    "card-lost": (
        ("您的会员卡已挂失", "尾号 {card} 的会员卡已挂失。如非本人操作，请立即联系我们。"),
        (
            "Your card was reported",
            "Your card ending in {card} was reported lost, stolen or damaged. If it was not you, contact us at once.",
        ),
    ),
    "account-closed": (
        ("您的账户已注销", "您的会员账户已注销。如非本人操作，请立即联系我们。"),
        ("Your account was closed", "Your account was just closed. If it was not you, contact us at once."),
    ),
}
LETTERS = {
    "pin": (
        ("{brand} 验证码", "您的验证码是 {pin}，{minutes} 分钟内有效。请勿告诉他人。"),
        ("Your {brand} code", "Your code is {pin}. It is valid for {minutes} minutes. Tell it to nobody."),
    ),
    "reset": (
        (
            "重置 {brand} 密码",
            "请在 {minutes} 分钟内打开以下链接设置新密码：\n\n{link}\n\n如非本人操作，请忽略此邮件。",
        ),
        (
            "Reset your {brand} password",
            "Open this link within {minutes} minutes to set a new password:\n\n{link}\n\n"
            "If you did not ask for it, ignore this message.",
        ),
    ),
}
LANGUAGES = (("cn", "CHS", "【{brand}】"), ("en", "ENU", "[{brand}] "))


def rows():
    yield "sms", "captcha", "CHS", "", CODE_CN
    yield "sms", "create", "CHS", "", CODE_CN
    yield "sms", "update", "CHS", "", CODES["update"][0]
    for position, (suffix, language, sender) in enumerate(LANGUAGES):
        for key, texts in CODES.items():
            yield "sms", f"{key}-{suffix}", language, "", texts[position]
        for key, texts in NOTICES.items():
            subject, text = texts[position]
            yield "sms", f"{key}-{suffix}", language, "", f"{sender}{text}"
            yield "email", f"{key}-{suffix}", language, f"{{brand}}: {subject}", text
        for key, texts in LETTERS.items():
            yield "email", f"{key}-{suffix}", language, *texts[position]


def create(apps, schema_editor):
    template = apps.get_model("sms", "Template")
    for channel, key, language, subject, text in rows():
        values = {"language": language, "subject": subject, "text": text}
        template.objects.get_or_create(channel=channel, key=key, defaults=values)


class Migration(migrations.Migration):
    dependencies = [("sms", "0003_channels_and_recipients")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
