from loyalty.operations import routes
from orders.views import OrderViewSet, PartnerViewSet

urlpatterns = routes(OrderViewSet, PartnerViewSet)
