from loyalty.operations import routes
from wechat.views import WechatViewSet

urlpatterns = routes(WechatViewSet)
