from customers.views import CustomerViewSet, PinViewSet
from loyalty.operations import routes

urlpatterns = routes(CustomerViewSet, PinViewSet)
