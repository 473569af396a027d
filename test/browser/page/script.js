document.getElementById('heading').textContent = 'after the script';
