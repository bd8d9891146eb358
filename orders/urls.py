from loyalty.operations import routes
from orders.views import PartnerViewSet

urlpatterns = routes(PartnerViewSet)
