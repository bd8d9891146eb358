from loyalty.operations import routes
from sms.views import LegacyViewSet

urlpatterns = routes(LegacyViewSet)
