from customers.password_views import PasswordViewSet
from customers.pin_views import PinViewSet
from customers.views import AddressViewSet, CustomerViewSet
from loyalty.operations import routes

urlpatterns = routes(CustomerViewSet, AddressViewSet, PinViewSet, PasswordViewSet)
