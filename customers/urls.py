from customers.views import AddressViewSet, CustomerViewSet, PinViewSet
from loyalty.operations import routes

urlpatterns = routes(CustomerViewSet, AddressViewSet, PinViewSet)
