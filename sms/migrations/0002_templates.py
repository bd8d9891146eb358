"""The texts that this version sends, in Chinese and English; staff may edit them."""

from django.db import migrations

TEMPLATES = (
    ("create-cn", "CHS", "【{brand}】您的注册验证码是 {pin}，{minutes} 分钟内有效。请勿告诉他人。"),
    (
        "create-en",
        "ENU",
        "[{brand}] Your registration code is {pin}. It is valid for {minutes} minutes. Tell it to nobody.",
    ),
    ("welcome-cn", "CHS", "【{brand}】欢迎加入！您的会员卡已经激活。"),
    ("welcome-en", "ENU", "[{brand}] Welcome! Your rewards card is live now."),
)


def create(apps, schema_editor):
    template = apps.get_model("sms", "Template")
    for key, language, text in TEMPLATES:
        template.objects.get_or_create(key=key, defaults={"language": language, "text": text})


class Migration(migrations.Migration):
    dependencies = [("sms", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
