os.execute "touch /tmp/owned"
