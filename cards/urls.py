from cards.views import CardViewSet, CustomerCardViewSet
from loyalty.operations import routes

urlpatterns = routes(CardViewSet, CustomerCardViewSet)
