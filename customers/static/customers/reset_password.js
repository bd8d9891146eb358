const form = document.querySelector("form");
const status = document.querySelector("[role=status]");
const token = new URLSearchParams(location.search).get("token") || "";

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const password = form.elements.password.value;
  if (password !== form.elements.again.value) {
    status.textContent = form.dataset.differ;
    return;
  }
  let error = {};
  try {
    const reply = await fetch("/api/Customers/resetPasswordToken", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token, newPassword: password }),
    });
    if (reply.ok) {
      form.hidden = true;
      status.textContent = form.dataset.done;
      history.replaceState(null, "", location.pathname);
      return;
    }
    ({ error } = await reply.json());
  } catch {
    // no answer, or none that can be read
  }
  status.textContent = (error.details?.password || [form.dataset.failed]).join(" ");
});
